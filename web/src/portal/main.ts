import { createApp } from 'vue'
import 'element-plus/es/components/base/style/css'
import '../shared/theme.css'
import App from './App.vue'

createApp(App).mount('#app')
